"""Typed settings, their defaults and profiles, and where the files of one installation are."""
