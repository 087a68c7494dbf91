#include "data/data_folder.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/gzip.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("names of classes are the same whatever the form of their file") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "classes.txt";
  const std::vector<std::string> expected{"no", "yes, please"};
  for (const std::string& content :
       {std::string("no\nyes, please\n"), std::string("no\r\nyes, please"),
        std::string("no\ryes, please\r"), std::string("\xef\xbb\xbfno\n\nyes, please \n"),
        std::string("\"no\"\n\"yes, please\"\n"), compress_gzip("no\nyes, please\n")}) {
    write_file_atomically(path, content);
    CHECK(read_class_lines(path) == expected);
    CHECK(class_names_or_numbers(path, 2) == expected);
  }
  CHECK(class_names_or_numbers(path, 3) == std::vector<std::string>{"0", "1", "2"});
  CHECK(class_names_or_numbers(folder / "none.txt", 1) == std::vector<std::string>{"0"});
  write_file_atomically(path, "\xff\xfen");
  expect_error<DataError>([&] { class_names_or_numbers(path, 2); },
                          {"classes.txt: the text is utf-16", "iconv -f utf-16 -t utf-8"});
}

TEST_CASE("the entries of a folder are sorted, and hidden ones left out") {
  const TemporaryFolder folder;
  for (const char* name : {"b.bin", "._a_train.bin", "a_train.bin", ".DS_Store"})
    write_file_atomically(folder / name, "x");
  const auto entries = sorted_entries(folder.path());
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].filename() == "a_train.bin");
  CHECK(entries[1].filename() == "b.bin");
  CHECK(find_split_binary(folder.path(), Split::train).filename() == "a_train.bin");
  CHECK(sorted_entries(folder / "nowhere").empty());
}

TEST_CASE("files are found in upper and lower case, the exact name first") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "TRAIN.CSV", "x");
  CHECK(find_plain_or_packed(folder.path(), "train.csv")->filename() == "TRAIN.CSV");
  write_file_atomically(folder / "train.csv.GZ", "x");
  CHECK(find_plain_or_packed(folder.path(), "train.csv")->filename() == "TRAIN.CSV");
  write_file_atomically(folder / "train.csv", "x");
  CHECK(find_plain_or_packed(folder.path(), "train.csv")->filename() == "train.csv");
  CHECK_FALSE(find_plain_or_packed(folder.path(), "test.csv").has_value());
  write_file_atomically(folder / "My_Test.BIN", "x");
  CHECK(find_split_binary(folder.path(), Split::test).filename() == "My_Test.BIN");
  CHECK(lower_case("Tr\xc3\x84in.CSV") == "tr\xc3\x84in.csv");  // ASCII letters alone
  CHECK(is_folder(folder.path()));
  CHECK_FALSE(is_folder(folder / "train.csv"));
}
