// The commands that touch registries, as oras 1.3 and soci 0.13 take them.
#pragma once

#include <retry_exec/publish.hpp>

#include <string>
#include <vector>

namespace retry_exec::publish {

using Arguments = std::vector<std::string>;

// HEAD; prints the descriptor.
Arguments probe_command(const Plan& plan, const Reference& reference);
// HEAD of a config or a layer; prints its descriptor.
Arguments blob_command(const Plan& plan, const Reference& blob);
// GET of the manifest and of the image's config; prints the config.
Arguments config_command(const Plan& plan, const Reference& image);
// GET; prints the manifest.
Arguments manifest_command(const Plan& plan, const Reference& reference);
// `staging` has the tag; `sources` are in its repository.
Arguments index_command(const Plan& plan, const Target& target, const Reference& staging,
                        const std::vector<std::string>& digests);
// One tag a command: with several, oras reads the first back by its tag and pushes what it read to
// the others, be it stale.
Arguments copy_command(const Plan& plan, const Reference& source, const Reference& tag);
// The tag makes oras list the root first in the layout's index.json.
Arguments pull_command(const Plan& plan, const Reference& source, const std::string& layout);
Arguments convert_command(const Plan& plan, const SociOptions& soci, const std::string& layout,
                          const std::string& output);
Arguments push_command(const Plan& plan, const std::string& layout, const std::string& digest,
                       const Reference& staging);

// "workbench/tmp@sha256:…" of `repository`.
Reference by_digest(const Reference& repository, const std::string& digest);
Reference by_tag(const Reference& repository, const std::string& tag);

}  // namespace retry_exec::publish
