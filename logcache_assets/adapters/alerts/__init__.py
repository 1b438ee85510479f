"""How people are told: a webhook, mail, a file of the home; and the heartbeat that shows that somebody watches."""
