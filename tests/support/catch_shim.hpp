// Catch2 v2 and v3 behind one name: tests include this, never catch2 itself.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <catch2/matchers/catch_matchers_vector.hpp>
namespace test {
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Catch::Matchers::UnorderedEquals;
}  // namespace test
#else
#include <catch2/catch.hpp>
namespace test {
using Catch::Approx;
using Catch::Matchers::UnorderedEquals;
inline auto ContainsSubstring(const std::string& s) {
  return Catch::Matchers::Contains(s);
}
inline auto EndsWith(const std::string& s) {
  return Catch::Matchers::EndsWith(s);
}
inline auto StartsWith(const std::string& s) {
  return Catch::Matchers::StartsWith(s);
}
}  // namespace test
#endif
