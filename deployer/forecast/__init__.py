"""Forecast: the change set that AWS would make, told offline from two sets of templates. Pure: no call to AWS."""
