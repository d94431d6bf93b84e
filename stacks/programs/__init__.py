"""Programs that render plain inputs as Pulumi resources, one module per target."""
