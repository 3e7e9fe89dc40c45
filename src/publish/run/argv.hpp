// The commands that touch registries, as oras 1.3 and soci 0.13 take them.
#pragma once

#include <retry_exec/publish_plan.hpp>

#include <string>
#include <vector>

namespace retry_exec::publish {

using Arguments = std::vector<std::string>;

// HEAD; prints the descriptor.
Arguments probe_command(const plan::Plan& plan, const oci::Reference& reference);
// HEAD of a config or a layer; prints its descriptor.
Arguments blob_command(const plan::Plan& plan, const oci::Reference& blob);
// GET of the manifest and of the image's config; prints the config.
Arguments config_command(const plan::Plan& plan, const oci::Reference& image);
// GET; prints the manifest.
Arguments manifest_command(const plan::Plan& plan, const oci::Reference& reference);
// Several of one repository, by tags or digests, one after the other: GET of each manifest and of
// an image's config; prints an index of their descriptors, an image's with its platform.
Arguments describe_command(const plan::Plan& plan, const oci::Reference& repository,
                           const std::vector<std::string>& names);
// Puts a manifest under a digest or a tag, then under more tags one after the other, in this order:
// HEAD of the first, and a PUT for each. Without --descriptor oras would read the digest back
// before each further tag, which may not show yet.
Arguments put_command(const plan::Plan& plan, const oci::Reference& place,
                      const std::vector<std::string>& more_tags, std::string_view media_type,
                      const std::string& file);
// A manifest and all under it, by digest: no tag moves.
Arguments copy_command(const plan::Plan& plan, const oci::Reference& source,
                       const oci::Reference& place);
// Whether such a copy says in its progress that it puts this manifest.
// What it prints of a manifest that it puts.
std::string putting(const std::string& digest);
bool begins_to_put(std::string_view printed, const std::string& digest);
// The tag makes oras list the root first in the layout's index.json.
Arguments pull_command(const plan::Plan& plan, const oci::Reference& source,
                       const std::string& layout);
Arguments convert_command(const plan::Plan& plan, const plan::SociOptions& soci,
                          const std::string& layout, const std::string& output);
Arguments push_command(const plan::Plan& plan, const std::string& layout, const std::string& digest,
                       const oci::Reference& staging);

// What has been done after publishing a manifest: referrers of it that list what.
inline constexpr const char* after_record_key = "retry-publish.done";
Arguments discover_command(const plan::Plan& plan, const oci::Reference& manifest);
Arguments record_command(const plan::Plan& plan, const oci::Reference& manifest,
                         const std::string& done);

// "workbench/tmp@sha256:…" of `repository`.
oci::Reference by_digest(const oci::Reference& repository, const std::string& digest);
oci::Reference by_tag(const oci::Reference& repository, const std::string& tag);

}  // namespace retry_exec::publish
