// Command pulumi-resource-docker lets the PyPI package pulumi-docker manage containers, networks and volumes.
//
// It bridges the resources CodeHub uses from the Terraform provider that Pulumi's own Docker plugin bridges
// too. It is not that plugin: other resources of the SDK (images, services, ...) answer "unknown resource".
// This file lies in a module below the upstream module's path because the constructor is in its `internal` folder.
package main

import (
	"context"
	_ "embed"
	"io"
	"log"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// version is the one of the SDK (PyPI's pulumi-docker) this plugin serves: Pulumi matches plugins by it.
const version = "5.2.0"

//go:embed schema.json
var pulumiSchema []byte

//go:embed metadata.json
var metadata []byte

// bridged maps each upstream resource we serve to the type token the SDK asks for.
var bridged = map[string]tokens.Type{
	"docker_container": "docker:index/container:Container",
	"docker_network":   "docker:index/network:Network",
	"docker_volume":    "docker:index/volume:Volume",
}

func main() {
	tfbridge.Main("docker", version, providerInfo(upstream()), pulumiSchema)
}

// upstream is the Terraform provider without the resources that are not bridged: fewer schemas, a faster start.
func upstream() *schema.Provider {
	p := provider.New(version)()
	for name := range p.ResourcesMap {
		if _, ok := bridged[name]; !ok {
			delete(p.ResourcesMap, name)
		}
	}
	p.DataSourcesMap = map[string]*schema.Resource{}
	if os.Getenv("TF_LOG") == "off" {
		for _, r := range p.ResourcesMap {
			r.CreateContext, r.ReadContext = quiet(r.CreateContext), quiet(r.ReadContext)
			r.UpdateContext, r.DeleteContext = quiet(r.UpdateContext), quiet(r.DeleteContext)
		}
	}
	return p
}

// quiet runs a step without its log. The provider logs what it reads from the engine, and the bridge sends each line
// of it to the CLI by a call of its own, at every value of TF_LOG: three hundred calls for one container.
// The bridge directs the log anew in each call of its own, so it has to be undone in each step.
func quiet[Step ~func(context.Context, *schema.ResourceData, any) diag.Diagnostics](step Step) Step {
	if step == nil {
		return nil
	}
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		log.SetOutput(io.Discard)
		return step(ctx, data, meta)
	}
}

func providerInfo(p *schema.Provider) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            shimv2.NewProvider(p),
		Name:         "docker",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
		Resources:    map[string]*tfbridge.ResourceInfo{},
	}
	for name, token := range bridged {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token}
	}
	info.SetAutonaming(255, "-")
	return info
}
