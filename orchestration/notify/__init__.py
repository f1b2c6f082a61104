"""New alerts and failed nights to people: by e-mail, a Slack-style webhook, Telegram."""
