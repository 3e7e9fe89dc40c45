#include "json_schema.hpp"

#include "catch_shim.hpp"

#include <boost/json/parse.hpp>

using boost::json::parse;
using test::schema_violations;
using Found = std::vector<std::string>;

namespace {

Found found(const char* schema, const char* instance) {
  return schema_violations(parse(schema), parse(instance));
}

}  // namespace

TEST_CASE("the schema checker finds what is wrong, and where", "[json-schema]") {
  const char* schema = R"({"type": "object", "required": ["a"], "additionalProperties": false,
    "properties": {"a": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/n"}},
                   "b": {"enum": ["x", "y"]}, "c": {"const": 1},
                   "d": {"type": ["string", "null"], "pattern": "^z"}},
    "$defs": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}})";
  CHECK(found(schema, R"({"a": [1], "b": "x", "c": 1, "d": null})").empty());
  CHECK(found(schema, "{}") == Found{": lacks \"a\""});
  CHECK(found(schema, R"({"a": []})") == Found{"/a: has fewer than 1 items"});
  CHECK(found(schema, R"({"a": [1, "x"]})") == Found{"/a/1: is not of type \"integer\""});
  CHECK(found(schema, R"({"a": [1.5]})") == Found{"/a/0: is not of type \"integer\""});
  CHECK(found(schema, R"({"a": [-1]})") == Found{"/a/0: is less than 0"});
  CHECK(found(schema, R"({"a": [10]})") == Found{"/a/0: is more than 9"});
  CHECK(found(schema, R"({"a": [1], "b": "z"})") == Found{"/b: is none of [\"x\",\"y\"]"});
  CHECK(found(schema, R"({"a": [1], "c": 2})") == Found{"/c: is not 1"});
  CHECK(found(schema, R"({"a": [1], "d": "y"})") == Found{"/d: does not match \"^z\""});
  CHECK(found(schema, R"({"a": [1], "e": 1})") == Found{"/e: must not be there"});
  CHECK(found(schema, "[]").size() == 1);
}

TEST_CASE("the schema checker knows alternatives", "[json-schema]") {
  const char* one = R"({"oneOf": [{"type": "string"}, {"type": "integer"}, {"minimum": 5}]})";
  CHECK(found(one, "1").empty());
  CHECK(found(one, "7") == Found{": is not just one of oneOf"});
  CHECK(found(R"({"anyOf": [{"type": "string"}]})", "1") == Found{": is none of anyOf"});
}

TEST_CASE("the schema checker passes nothing that it cannot look at", "[json-schema]") {
  CHECK(found(R"({"multipleOf": 2})", "1").size() == 1);
}
