"""An incident becomes a ticket, or joins the one that exists: summary, timeline, report; a thin adapter a tracker."""
