"""Keeping: what holds data outlives mistakes, versions outlive the deployment, exceptions say why."""
