// Gitea for the tests. Its module is served by its former name only, code.gitea.io/gitea; tools/gitea.py puts
// what it needs of that into ./gitea, so that the build takes no module that is not served.
module codehub.local/gitea

go 1.26.4

require gitea.dev v1.27.3

replace gitea.dev => ./gitea

replace gitea.dev/actions-proto-go => code.gitea.io/actions-proto-go v0.6.0

// As in Gitea's own go.mod.
replace (
	github.com/Azure/azure-sdk-for-go/sdk/azcore => github.com/Azure/azure-sdk-for-go/sdk/azcore v1.19.0
	github.com/Azure/azure-sdk-for-go/sdk/storage/azblob => github.com/Azure/azure-sdk-for-go/sdk/storage/azblob v1.6.2
	github.com/microsoft/go-mssqldb => github.com/microsoft/go-mssqldb v1.9.7
	go.yaml.in/yaml/v4 => go.yaml.in/yaml/v4 v4.0.0-rc.3
)
