"""Everything outside of PayFlux that a surface hands to the verbs it calls."""
