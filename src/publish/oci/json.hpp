// JSON that other programs wrote, read without trust in its shape: what is missing or of another
// kind is simply not there.
#pragma once

#include <retry_exec/error.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace retry_exec::publish::oci {

// PowerShell writes one at the beginning of a file.
std::string_view without_byte_order_mark(std::string_view text);

Result<boost::json::object> parse_object(std::string_view json);

// Whether it is JSON of any kind, to its end.
bool is_json(std::string_view text);

std::string text_of(const boost::json::object& fields, std::string_view key);
std::vector<std::string> texts_of(const boost::json::object& fields, std::string_view key);
// Whether there is nothing but texts in that list, if there is one; null says nothing.
bool has_only_texts(const boost::json::object& fields, std::string_view key);
std::uint64_t size_of(const boost::json::object& fields, std::string_view key);
const boost::json::object* object_of(const boost::json::object& fields, std::string_view key);
std::vector<const boost::json::object*> objects_of(const boost::json::object& fields,
                                                   std::string_view key);

}  // namespace retry_exec::publish::oci
