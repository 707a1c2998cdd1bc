"""The deployer: out/<suffix>/ → package → change set → review → gate → execution → flat outputs."""

VERSION = "0.2.0"
