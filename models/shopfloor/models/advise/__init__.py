"""Why a model says what it says, and which setpoints would change that."""
