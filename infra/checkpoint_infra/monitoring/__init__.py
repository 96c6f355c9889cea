"""What operators are told and shown: alarms with their thresholds, the dashboard, log queries."""
