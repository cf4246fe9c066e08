"""Pure rules of the law and of the register: no database, no clock, no network."""
