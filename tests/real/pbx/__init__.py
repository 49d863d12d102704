"""A real Asterisk, real SIP phones, and a tap on what they and the hub say."""
