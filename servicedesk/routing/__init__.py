"""Routes of technicians: the frozen problem, two planners, and a checker that shares no code with them."""
