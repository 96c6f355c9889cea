"""How answers look: tables and records for people, JSON and CSV for programs."""
