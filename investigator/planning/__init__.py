"""Before you buy: what fits, what another setting or machine would have changed, and what is better sent elsewhere."""

from investigator.diagnosis.model import MachineRow, MachineTable

from .catalogue import Catalogue, Privacy, load_catalogue, search_machines, search_models
from .compose import Where, fit_model
from .fit import FitRow, FitTable, Limit, Plan, fit_table, largest_window_tokens
from .hybrid import CloudOption, Hybrid, HybridShare, hybrid_split
from .incidents import IncidentLoad, incident_loads
from .machines import compare_machines, machines_of_interest
from .measured import CaseFacts, CaseModel, read_measured
from .needs import Budget, ModelNeeds, budget_of, decode_speed, measured_needs, needs_of
from .replay import AttemptFate, ScenarioResult, replay
from .scenarios import Asked, Ground, Part, Scenario, parts, scenario, scenarios
from .speed import Measured, ReadingSpeed, Speeds, case_speed

__all__ = [
    "Asked",
    "AttemptFate",
    "Budget",
    "CaseFacts",
    "CaseModel",
    "Catalogue",
    "CloudOption",
    "FitRow",
    "FitTable",
    "Ground",
    "Hybrid",
    "HybridShare",
    "IncidentLoad",
    "Limit",
    "MachineRow",
    "MachineTable",
    "Measured",
    "ModelNeeds",
    "Part",
    "Plan",
    "Privacy",
    "ReadingSpeed",
    "Scenario",
    "ScenarioResult",
    "Speeds",
    "Where",
    "budget_of",
    "case_speed",
    "compare_machines",
    "decode_speed",
    "fit_model",
    "fit_table",
    "hybrid_split",
    "incident_loads",
    "largest_window_tokens",
    "load_catalogue",
    "machines_of_interest",
    "measured_needs",
    "needs_of",
    "parts",
    "read_measured",
    "replay",
    "scenario",
    "scenarios",
    "search_machines",
    "search_models",
]
