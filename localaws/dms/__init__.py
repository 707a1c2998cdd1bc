"""DMS, a service of our own: moto's neither keeps what it is told nor lets a task leave "creating"."""
