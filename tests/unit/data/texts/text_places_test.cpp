#include "data/texts/text_places.h"

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "unit/data/texts/text_set_files.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

TEST_CASE("upper and lower case of names do not matter, and the exact name wins") {
  TextFiles files;
  for (const char* name : {"train.CSV", "TRAIN.csv", "Train.Tsv", "train.TSV.GZ",
                           "SMALL_Train10.TSV", "Small/TRAIN.csv"}) {
    CAPTURE(name);
    const bool tabs = std::string(name).find(".csv") == std::string::npos &&
                      std::string(name).find(".CSV") == std::string::npos;
    const std::string content = tabs ? "x\ta, b\ny\tb\nx\tc\n" : "x,\"a, b\"\ny,b\nx,c\n";
    files.config.name = "Small";
    files.write(name, std::string(name).ends_with("GZ") ? compress_gzip(content) : content);
    CHECK(files.load().size() == 3);
    CHECK(files.load().tokens(0) == 3);
    fs::remove_all(files.folder / name);
  }
  files.write("TRAIN.csv", "z,a\nw,b\nz,c\n");
  files.write("train.csv", "x,a\ny,b\nx,c\n");
  files.write("CLASSES.TXT", "x\ny\n");
  CHECK(files.load().class_names == Names{"x", "y"});
  fs::remove(files.folder / "train.csv");
  files.refuse({"CLASSES.TXT", "'w'"});
  fs::remove(files.folder / "TRAIN.csv");
  files.write("Train/neg/1.TXT", "a");
  files.write("Train/pos/1.txt", "b");
  CHECK(files.load().class_names == Names{"neg", "pos"});
}

TEST_CASE("what was not found lists the names that were tried, and what is there") {
  TextFiles files;
  files.refuse({"the train part of the texts 'small' was not found in '", "tried train.csv, .tsv",
                ".jsonl, .ndjson, .json (or these with .gz)", "train/CLASS/*.txt",
                "small_train*.csv", "small_csv'", "data.text.train_file"});
  files.write("reviews.csv", "");
  files.write("notes.pdf", "");
  files.refuse({"holds reviews.csv"});
  files.write("train.csv", "x,a\ny,b\nx,c\n");
  files.refuse({"the test part", "tried test.csv", "--set data.test_fraction=0.2"}, Split::test);
  const std::string folder = files.config.path;
  files.config.path = folder + "/train.csv";
  files.refuse({"train.csv', is a file", "--set data.text.train_file=train.csv", "data.path=/"});
  files.config.path = folder + "/nowhere";
  files.refuse({"nowhere': there is no such folder", "data.path=DIR"});
}

TEST_CASE("a named file that is not there suggests those that are") {
  TextFiles files;
  files.config.text.train_file = files.config.text.test_file = "trian.csv";
  files.refuse({"trian.csv' does not exist (data.text.train_file)", "data.path"});
  files.write("reviews.txt", "");
  files.refuse({"its folder holds reviews.txt"});
  files.write("train.csv", "");
  files.refuse({"did you mean 'train.csv'?"});
  files.write("train.csv", kTrain);
  files.config.text.train_file = "train.csv";
  files.config.text.separator = TextSeparator::tab;
  files.refuse({"trian.csv' does not exist (data.text.test_file)"}, Split::test);
}

TEST_CASE("one file as both parts is refused, whatever it is called, and a copy is said") {
  TextFiles files;
  const std::string content = "x,a\ny,b\nx,c\n";
  files.write("train.csv", content);
  files.config.text.train_file = files.config.text.test_file = "train.csv";
  files.refuse({"train.csv' and '", "are the same", "data.text.test_file= ", "data.test_fraction"});
  files.config.text.test_file = "../" + files.folder.path().filename().string() + "/train.csv";
  files.refuse({"are the same"});
  files.config.text.train_file = files.config.text.test_file = "";
  fs::create_symlink(files.folder / "train.csv", files.folder / "test.csv");
  files.refuse({"train.csv' and '", "test.csv'", "data.test_fraction=0.2"});
  fs::remove(files.folder / "test.csv");
  for (const auto& [name, copy] : std::vector<std::pair<std::string, std::string>>{
           {"test.csv", content}, {"test.csv.gz", compress_gzip(content)}}) {
    files.write(name, copy);
    CAPTURE(files.load().warning);
    CHECK(files.load().warning.find("test.csv") != std::string::npos);
    CHECK(files.load().warning.find("the same texts") != std::string::npos);
    fs::remove(files.folder / name);
  }
  files.write("test.csv", "x,a\ny,c\n");
  CHECK(files.load().warning.empty());
  // A run may be tested on its own training part if it is named as such.
  files.config.text.train_file = files.config.text.test_file = "train.csv";
  CHECK(files.load(Split::test).size() == 3);
}

TEST_CASE("a folder as both parts is refused, and a copy is said") {
  TextFiles files;
  for (const char* name : {"train/neg/1.txt", "test/neg/1.txt"}) files.write(name, "a");
  for (const char* name : {"train/pos/1.txt", "test/pos/1.txt"}) files.write(name, "b");
  CHECK(files.load().warning.find("the same texts") != std::string::npos);
  files.write("test/pos/2.txt", "b");
  CHECK(files.load().warning.empty());
  fs::remove(files.folder / "test/pos/2.txt");
  files.write("test/pos/1.txt", "c");
  CHECK(files.load().warning.empty());
  fs::remove_all(files.folder / "test");
  fs::create_directory_symlink(files.folder / "train", files.folder / "test");
  files.refuse({"train' and '", "are the same"});
}

TEST_CASE("data.test_fraction is refused beside a test part") {
  TextFiles files;
  files.config.test_fraction = 0.5;
  files.write("train.csv", "x,a\ny,b\nx,c\ny,d\n");
  files.write("test.csv", "x,b\n");
  for (const Split split : {Split::train, Split::test})
    files.refuse({"data.test_fraction", "test.csv'", "data.test_fraction=0"}, split);
  fs::remove(files.folder / "test.csv");
  files.write("Test/neg/1.txt", "a");
  files.refuse({"data.test_fraction", "Test'"});
  // A training file by name has no test part beside it but the one that is named, too.
  files.config.text.train_file = "train.csv";
  CHECK(files.load().size() == 2);
  files.config.text.test_file = "test.csv";
  files.refuse({"data.text.test_file ('test.csv')", "--set data.text.test_file="});
}

TEST_CASE("texts that nobody parted are found where data.test_fraction splits them") {
  TextFiles files;
  files.write("SMALL.csv", "x,a\ny,b\nx,c\ny,d\n");
  files.refuse({"tried train.csv"});
  files.config.test_fraction = 0.25;
  CHECK(files.load().size() == 3);
  CHECK(files.load(Split::test).size() == 1);
  CHECK(files.load(Split::test).name.ends_with("SMALL.csv (test part)"));
  fs::remove(files.folder / "SMALL.csv");
  for (const char* name : {"neg/1.txt", "neg/2.txt", "pos/1.txt", "pos/2.txt"})
    files.write(name, name);
  CHECK(files.load().size() == 3);
  CHECK(files.load(Split::test).size() == 1);
  fs::rename(files.folder / "neg", files.folder / "neg.old");
  fs::remove_all(files.folder / "pos");
  fs::remove_all(files.folder / "neg.old");
  files.refuse({"train part", "was not found"});
}
