"""Execution algorithms: journalled parents whose children pass the gate like every other order."""
