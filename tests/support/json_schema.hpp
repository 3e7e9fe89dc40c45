// Checks JSON against the part of JSON Schema (2020-12) that our own schemas use: type, enum,
// const, properties, required, additionalProperties, items, minItems, pattern, minLength, minimum,
// maximum, anyOf, oneOf and $ref to a place in the same schema. A keyword beyond that is itself
// reported: nothing is ever passed for not having been looked at.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace test {

// "/attempts/0/elapsed_ms: is no integer"; empty when `instance` is as `schema` wants it.
std::vector<std::string> schema_violations(const boost::json::value& schema,
                                           const boost::json::value& instance);

}  // namespace test
