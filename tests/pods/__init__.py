"""Every attempt on a machine of its own, as KubernetesExecutor runs them: what it needs is in Encord and in a store."""
