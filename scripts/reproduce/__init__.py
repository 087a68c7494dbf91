"""The code behind scripts/reproduce.sh. Programs find it with scripts in sys.path; README.md says what each folder is for."""
