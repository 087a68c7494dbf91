#include "io/number_fields.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("a file has one separator: semicolon, comma, tab or blank") {
  CHECK(numbers_separator("x;y\n1;2,5\n") == ';');
  CHECK(numbers_separator("1,2\n3;4\n") == ';');
  CHECK(numbers_separator("# a; b\n1, 2\n") == ',');
  CHECK(numbers_separator("x [mm]\ty [mm]\n1\t2\n") == '\t');
  CHECK(numbers_separator("1 2\n3  4") == ' ');
  CHECK(numbers_separator("\"a;b\",\"c\"\n1,2\n") == ',');
  CHECK(numbers_separator("") == ' ');
}

TEST_CASE("a first line that declares the separator is no line of fields") {
  CHECK(numbers_separator("sep=,\n1,5;2\n") == ',');
  CHECK(numbers_separator("sep=|\n1|2\n") == '|');
  TextLines lines("sep=;\n# sep=;\n\nsep=;\n1;2\n");
  std::vector<bool> without;
  while (lines.next()) without.push_back(is_without_fields(lines));
  CHECK(without == std::vector<bool>{true, true, true, false, false});
}

TEST_CASE("lines are split into trimmed fields, quoted or not") {
  CHECK(split_fields("1, 2 ,", ',', "f:1") == Fields{"1", "2", ""});
  CHECK(split_fields("\t1\t2", '\t', "f:1") == Fields{"", "1", "2"});
  CHECK(split_fields("  1 \t 2  ", ' ', "f:1") == Fields{"1", "2"});
  CHECK(split_fields("\"1\" ; \"a;\"\"b\"\"\"", ';', "f:1") == Fields{"1", "a;\"b\""});
  CHECK(split_fields("", ',', "f:1") == Fields{""});
  for (const char* line : {"\"1,2", "1\",2", "\"a\"b,2", "1,\""})
    expect_error<DataError>([&] { split_fields(line, ',', "f:7"); }, {"f:7", "quotes"});
}

TEST_CASE("a comma is decimal only where semicolons separate") {
  NumberReader semicolons(';', "f");
  CHECK(semicolons.read("20,7", 1) == 20.7);
  CHECK(semicolons.read("-,5", 1) == -0.5);
  CHECK(semicolons.read("1,5e-3", 1) == 1.5e-3);
  CHECK(semicolons.read("+3", 1) == 3.0);
  CHECK_FALSE(semicolons.read("1.234,5", 1));
  CHECK_FALSE(semicolons.read("1,2,3", 1));
  CHECK_FALSE(semicolons.read("1 2", 1));
  for (const char separator : {',', '\t', ' '})
    CHECK_FALSE(NumberReader(separator, "f").read("20,7", 1));
}

TEST_CASE("decimal commas and decimal points in one file are refused") {
  NumberReader numbers(';', "f");
  CHECK(numbers.read("20,7", 3) == 20.7);
  expect_error<DataError>([&] { numbers.read("20.7", 5); },
                          {"f:5: line 3 has a decimal comma, line 5 a decimal point"});
  NumberReader commas(',', "f");
  CHECK(commas.read("20.7", 1) == 20.7);
  CHECK(commas.read("1e3", 1) == 1000.0);
}

TEST_CASE("a column is found by its name, or else by its number from 1") {
  const Fields names = {"id", "2", "x [mm]"};
  CHECK(find_column("2", names, 3, "f:1") == 1);
  CHECK(find_column("3", names, 3, "f:1") == 2);
  CHECK(find_column("x [mm]", names, 3, "f:1") == 2);
  CHECK(find_column("2", {}, 3, "f:1") == 1);
  for (const char* wanted : {"0", "4", "-1", "ID", "1.0", ""})
    expect_error<DataError>([&] { find_column(wanted, names, 3, "f:1"); },
                            {"f:1: there is no column '", wanted});
  for (const char* wanted : {"0", "4", "id"})
    expect_error<DataError>([&] { find_column(wanted, {}, 3, "f:1"); },
                            {"f:1: there is no column"});
}

TEST_CASE("repeated and missing names of columns are found") {
  CHECK(repeated_name({"a", "b", "a"}) == "a");
  CHECK(repeated_name({"", "b", ""}).empty());
  CHECK(is_unnamed(""));
  CHECK(is_unnamed("Unnamed: 0"));
  CHECK_FALSE(is_unnamed("index"));
}
