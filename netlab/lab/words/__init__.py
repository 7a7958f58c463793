"""The catalogues of what the lab bench says, beside those of the microscope; `scripts/words` keeps them."""
