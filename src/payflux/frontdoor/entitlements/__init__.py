"""What an account may do now: overrides, then what its plan holds, then off."""
