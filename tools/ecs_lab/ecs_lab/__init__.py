"""The laboratory: a real control plane, the simulated cloud and the operator as processes on one machine."""
