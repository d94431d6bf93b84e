"""CodeHub's policy pack: the rules of `policies.rules`, run by Pulumi in every preview and up."""
