"""The rules of the code base: functions over parsed modules and files that return a list of violations."""
