"""The task of molecules: properties of molecules from elements and positions of their atoms."""
