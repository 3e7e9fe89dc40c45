#include "publish/oci/json.hpp"

#include <boost/json/parse.hpp>

namespace retry_exec::publish::oci {

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  return text;
}

Result<boost::json::object> parse_object(std::string_view json) {
  constexpr std::size_t most = std::size_t{64} << 20;
  if (json.size() > most) return Error{{}, "more than 64 MiB of JSON"};
  json = without_byte_order_mark(json);
  boost::system::error_code error;
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::json::value value = boost::json::parse(json, error, {}, options);
  if (error) return Error{{}, "not valid JSON: " + error.message()};
  if (!value.is_object()) return Error{{}, "JSON, but not an object"};
  return std::move(value.get_object());
}

bool is_json(std::string_view text) {
  boost::system::error_code error;
  boost::json::parse(without_byte_order_mark(text), error);
  return !error;
}

std::string text_of(const boost::json::object& fields, std::string_view key) {
  const boost::json::value* value = fields.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts_of(const boost::json::object& fields, std::string_view key) {
  std::vector<std::string> texts;
  const boost::json::value* value = fields.if_contains(key);
  if (value == nullptr || !value->is_array()) return texts;
  for (const boost::json::value& item : value->get_array()) {
    if (item.is_string()) texts.emplace_back(item.get_string());
  }
  return texts;
}

bool has_only_texts(const boost::json::object& fields, std::string_view key) {
  const boost::json::value* value = fields.if_contains(key);
  if (value == nullptr || value->is_null()) return true;
  return value->is_array() && texts_of(fields, key).size() == value->get_array().size();
}

std::uint64_t size_of(const boost::json::object& fields, std::string_view key) {
  const boost::json::value* value = fields.if_contains(key);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return value->get_uint64();
  return value->is_int64() && value->get_int64() >= 0
             ? static_cast<std::uint64_t>(value->get_int64())
             : 0;
}

const boost::json::object* object_of(const boost::json::object& fields, std::string_view key) {
  const boost::json::value* value = fields.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::vector<const boost::json::object*> objects_of(const boost::json::object& fields,
                                                   std::string_view key) {
  std::vector<const boost::json::object*> objects;
  const boost::json::value* value = fields.if_contains(key);
  if (value == nullptr || !value->is_array()) return objects;
  for (const boost::json::value& item : value->get_array()) {
    if (item.is_object()) objects.push_back(&item.get_object());
  }
  return objects;
}

}  // namespace retry_exec::publish::oci
