package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/awslabs/soci-snapshotter/soci"
	"github.com/awslabs/soci-snapshotter/soci/store"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/oci"
)

// The name that the real command writes into its indexes: digests depend on it.
const buildTool = "AWS SOCI CLI v0.2"

func convert(ctx context.Context, asked request) error {
	if _, err := os.Stat(asked.input); err != nil {
		return fmt.Errorf("failed to access input %s: %w", asked.input, err)
	}
	// The real one works on copies under TMPDIR too, and leaves them there when it is killed.
	layout, err := os.MkdirTemp("", "soci-oci-")
	if err != nil {
		return fmt.Errorf("failed to create temp directory: %w", err)
	}
	defer os.RemoveAll(layout)
	if err := os.CopyFS(layout, os.DirFS(asked.input)); err != nil {
		return fmt.Errorf("failed to copy the layout: %w", err)
	}
	root, err := rootOf(layout)
	if err != nil {
		return err
	}
	converted, err := convertLayout(ctx, layout, root, asked)
	if err != nil {
		return err
	}
	if err := writeIndex(layout, *converted); err != nil {
		return err
	}
	if err := os.RemoveAll(asked.output); err != nil {
		return err
	}
	return os.CopyFS(asked.output, os.DirFS(layout))
}

// The only manifest that index.json lists. With several, soci since 0.14 takes index.json itself for
// the manifest list, in which the root index then stands without a platform. It also takes the only
// image of an index for the root.
func rootOf(layout string) (ocispec.Descriptor, error) {
	listed, err := manifestsIn(filepath.Join(layout, ocispec.ImageIndexFile))
	switch {
	case err != nil:
		return ocispec.Descriptor{}, fmt.Errorf("failed to read index.json: %w", err)
	case len(listed) == 0:
		return ocispec.Descriptor{}, errors.New("index.json contains no manifests")
	case len(listed) > 1:
		return ocispec.Descriptor{}, errors.New("manifest should have proper platform")
	}
	root := listed[0]
	if !images.IsIndexType(root.MediaType) {
		return root, nil
	}
	children, err := manifestsIn(filepath.Join(layout, ocispec.ImageBlobsDir, root.Digest.Algorithm().String(), root.Digest.Encoded()))
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("read manifest list: %w", err)
	}
	if len(children) == 1 && images.IsManifestType(children[0].MediaType) {
		return children[0], nil
	}
	return root, nil
}

func manifestsIn(file string) ([]ocispec.Descriptor, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	err = json.Unmarshal(text, &index)
	return index.Manifests, err
}

func convertLayout(ctx context.Context, layout string, root ocispec.Descriptor, asked request) (*ocispec.Descriptor, error) {
	contents, err := local.NewStore(layout)
	if err != nil {
		return nil, err
	}
	artifacts, err := oci.New(layout)
	if err != nil {
		return nil, err
	}
	databases, err := os.MkdirTemp("", "soci-artifacts-")
	if err != nil {
		return nil, fmt.Errorf("failed to create temp directory: %w", err)
	}
	defer os.RemoveAll(databases)
	database, err := soci.NewDB(soci.ArtifactsDbPath(databases))
	if err != nil {
		return nil, err
	}
	options, err := builderOptions(asked)
	if err != nil {
		return nil, err
	}
	builder, err := soci.NewIndexBuilder(contents, &store.SociStore{Store: artifacts},
		append(options, soci.WithArtifactsDb(database))...)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedPlatforms(ctx, contents, root, asked)
	if err != nil {
		return nil, err
	}
	return builder.Convert(ctx, images.Image{Name: asked.input, Target: root}, soci.ConvertWithPlatforms(wanted...))
}

func builderOptions(asked request) ([]soci.BuilderOption, error) {
	var optimizations []soci.Optimization
	for _, name := range asked.optimizations {
		optimization, err := soci.ParseOptimization(name)
		if err != nil {
			return nil, err
		}
		optimizations = append(optimizations, optimization)
	}
	return []soci.BuilderOption{
		soci.WithMinLayerSize(asked.minLayerSize),
		soci.WithSpanSize(asked.spanSize),
		soci.WithBuildToolIdentifier(buildTool),
		soci.WithOptimizations(optimizations),
		soci.WithPrefetchPaths(asked.prefetchFiles),
		soci.WithForceRecreateZtocs(asked.force),
	}, nil
}

// None: the library's default, which is the host's.
func wantedPlatforms(ctx context.Context, from content.Provider, root ocispec.Descriptor, asked request) ([]ocispec.Platform, error) {
	if asked.allPlatforms {
		return images.Platforms(ctx, from, root)
	}
	var wanted []ocispec.Platform
	for _, name := range asked.platforms {
		platform, err := platforms.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("could not parse platform %s: %w", name, err)
		}
		wanted = append(wanted, platform)
	}
	return wanted, nil
}

// oras-go lists everything that was pushed into the layout; soci leaves only what it made.
func writeIndex(layout string, root ocispec.Descriptor) error {
	text, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{root},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(layout, ocispec.ImageIndexFile), text, 0o644)
}
