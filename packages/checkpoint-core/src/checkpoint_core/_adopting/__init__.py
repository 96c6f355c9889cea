"""Rows that no ledger accounts for, or that an older format left narrow: adopt, claim, upgrade, rebuild."""
