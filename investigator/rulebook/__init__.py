"""The rule language: load, check, compile, evaluate, replay in worlds, test.

The entry points are `load.load_rules`, `evaluate.evaluate`, `worlds.evaluate_worlds` and `testing.run_rule_tests`.
"""
