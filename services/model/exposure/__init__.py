"""What gas does to people: dose, toxic load, probability of death, the air indoors. Pure: no I/O, no clock."""
