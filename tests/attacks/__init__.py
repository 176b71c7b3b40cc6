"""Attacks on the receiver and on the steps behind it. Each test is named by the attack and its refusal."""
