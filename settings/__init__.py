"""params/*.yaml → Settings: the only input of a build, typed and checked before anything else runs."""
