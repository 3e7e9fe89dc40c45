// When images were made.
#pragma once

#include <retry_exec/publish_oci.hpp>

#include <optional>
#include <string_view>

namespace retry_exec::publish::oci {

// "2026-05-04T12:30:00.25+02:00"; without a zone it is UTC.
std::optional<Date> parse_date(std::string_view text);

// "created" of an image's config.
std::optional<Date> date_of_config(std::string_view json);

}  // namespace retry_exec::publish::oci
