"""The nightly scan: reads what is new, judges what was touched, and tells what changed."""
