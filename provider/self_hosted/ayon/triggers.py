"""The questions that waits ask AYON: none yet, since a project is there once it is created."""
