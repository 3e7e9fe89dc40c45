#include "json_schema.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <string_view>

namespace test {

namespace {

namespace json = boost::json;

bool is_integer(const json::value& value) {
  return value.is_int64() || value.is_uint64() ||
         (value.is_double() &&
          value.get_double() == static_cast<double>(static_cast<std::int64_t>(value.get_double())));
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  return type == "integer" && is_integer(value);
}

// A keyword that asks one question of a value by itself.
struct Limit {
  const char* keyword;
  bool (*fits)(const json::value& wanted, const json::value& value);
  const char* otherwise;
  const char* unit = "";
};

const Limit limits[] = {
    {"const", [](const json::value& wanted, const json::value& value) { return wanted == value; },
     "is not "},
    {"enum",
     [](const json::value& wanted, const json::value& value) {
       const json::array& words = wanted.as_array();
       return std::find(words.begin(), words.end(), value) != words.end();
     },
     "is none of "},
    {"minimum",
     [](const json::value& wanted, const json::value& value) {
       return !value.is_number() || value.to_number<double>() >= wanted.to_number<double>();
     },
     "is less than "},
    {"maximum",
     [](const json::value& wanted, const json::value& value) {
       return !value.is_number() || value.to_number<double>() <= wanted.to_number<double>();
     },
     "is more than "},
    {"minItems",
     [](const json::value& wanted, const json::value& value) {
       return !value.is_array() || value.get_array().size() >= wanted.to_number<std::size_t>();
     },
     "has fewer than ", " items"},
    {"minLength",
     [](const json::value& wanted, const json::value& value) {
       return !value.is_string() || value.get_string().size() >= wanted.to_number<std::size_t>();
     },
     "is shorter than "},
    {"pattern",
     [](const json::value& wanted, const json::value& value) {
       return !value.is_string() ||
              std::regex_search(value.get_string().c_str(), std::regex(wanted.as_string().c_str()));
     },
     "does not match "},
};

class Checker {
 public:
  explicit Checker(const json::value& root) : root_(root) {}

  std::vector<std::string> check(const json::value& schema, const json::value& value,
                                 const std::string& path) const {
    if (schema.is_bool()) {
      return schema.get_bool() ? Found{} : Found{path + ": must not be there"};
    }
    Found found;
    for (const auto& keyword : schema.as_object()) {
      const auto known = keywords_.find(keyword.key());
      if (known == keywords_.end()) {
        found.push_back(path + ": the schema uses '" + std::string(keyword.key()) +
                        "', which is not known here");
      } else if (known->second) {
        for (std::string& one :
             known->second(*this, schema.as_object(), keyword.value(), value, path)) {
          found.push_back(std::move(one));
        }
      }
    }
    return found;
  }

 private:
  using Found = std::vector<std::string>;
  using Check =
      std::function<Found(const Checker&, const json::object& schema, const json::value& argument,
                          const json::value& value, const std::string& path)>;

  static Found unless(bool good, const std::string& path, const std::string& what) {
    return good ? Found{} : Found{path + ": " + what};
  }

  static Found type(const json::value& types, const json::value& value, const std::string& path) {
    const json::array wanted = types.is_array() ? types.get_array() : json::array{types};
    return unless(
        std::any_of(wanted.begin(), wanted.end(),
                    [&](const json::value& name) { return has_type(value, name.as_string()); }),
        path, "is not of type " + json::serialize(types));
  }

  static Found required(const json::value& names, const json::value& value,
                        const std::string& path) {
    Found found;
    if (!value.is_object()) return found;
    for (const json::value& name : names.as_array()) {
      if (!value.get_object().contains(name.as_string())) {
        found.push_back(path + ": lacks " + json::serialize(name));
      }
    }
    return found;
  }

  Found properties(const json::value& schemas, const json::value& value,
                   const std::string& path) const {
    Found found;
    if (!value.is_object()) return found;
    for (const auto& field : schemas.as_object()) {
      if (const json::value* given = value.get_object().if_contains(field.key())) {
        append(found, check(field.value(), *given, path + '/' + std::string(field.key())));
      }
    }
    return found;
  }

  Found additional(const json::object& schema, const json::value& rest, const json::value& value,
                   const std::string& path) const {
    Found found;
    if (!value.is_object()) return found;
    const json::value* named = schema.if_contains("properties");
    for (const auto& field : value.get_object()) {
      if (named != nullptr && named->as_object().contains(field.key())) continue;
      append(found, check(rest, field.value(), path + '/' + std::string(field.key())));
    }
    return found;
  }

  Found items(const json::value& schema, const json::value& value, const std::string& path) const {
    Found found;
    if (!value.is_array()) return found;
    for (std::size_t i = 0; i < value.get_array().size(); ++i) {
      append(found, check(schema, value.get_array()[i], path + '/' + std::to_string(i)));
    }
    return found;
  }

  std::size_t how_many_hold(const json::value& schemas, const json::value& value) const {
    return static_cast<std::size_t>(
        std::count_if(schemas.as_array().begin(), schemas.as_array().end(),
                      [&](const json::value& schema) { return check(schema, value, "").empty(); }));
  }

  // "#/$defs/verdict"
  const json::value& resolve(const json::value& reference) const {
    return root_.at_pointer(std::string_view(reference.as_string()).substr(1));
  }

  static void append(Found& to, Found&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }

  static std::map<std::string, Check, std::less<>> keywords();

  const json::value& root_;
  const std::map<std::string, Check, std::less<>> keywords_ = keywords();
};

std::map<std::string, Checker::Check, std::less<>> Checker::keywords() {
  using Text = const std::string&;
  using Value = const json::value&;
  using Schema = const json::object&;
  using Self = const Checker&;
  std::map<std::string, Check, std::less<>> table = {
      {"$schema", nullptr},
      {"$id", nullptr},
      {"$defs", nullptr},
      {"title", nullptr},
      {"description", nullptr},
      {"type", [](Self, Schema, Value a, Value v, Text p) { return type(a, v, p); }},
      {"required", [](Self, Schema, Value a, Value v, Text p) { return required(a, v, p); }},
      {"properties",
       [](Self self, Schema, Value a, Value v, Text p) { return self.properties(a, v, p); }},
      {"additionalProperties",
       [](Self self, Schema s, Value a, Value v, Text p) { return self.additional(s, a, v, p); }},
      {"items", [](Self self, Schema, Value a, Value v, Text p) { return self.items(a, v, p); }},
      {"$ref", [](Self self, Schema, Value a, Value v,
                  Text p) { return self.check(self.resolve(a), v, p); }},
      {"anyOf", [](Self self, Schema, Value a, Value v,
                   Text p) { return unless(self.how_many_hold(a, v) > 0, p, "is none of anyOf"); }},
      {"oneOf",
       [](Self self, Schema, Value a, Value v, Text p) {
         return unless(self.how_many_hold(a, v) == 1, p, "is not just one of oneOf");
       }},
  };
  for (const Limit& limit : limits) {
    table.emplace(limit.keyword, [limit](Self, Schema, Value a, Value v, Text p) {
      return unless(limit.fits(a, v), p, limit.otherwise + json::serialize(a) + limit.unit);
    });
  }
  return table;
}

}  // namespace

std::vector<std::string> schema_violations(const json::value& schema, const json::value& instance) {
  return Checker(schema).check(schema, instance, "");
}

}  // namespace test
