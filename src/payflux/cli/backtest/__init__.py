"""`payflux backtest`: how right the model would have been on past days."""
