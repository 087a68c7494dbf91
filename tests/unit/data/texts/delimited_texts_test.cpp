#include "data/texts/delimited_texts.h"

#include <doctest/doctest.h>

#include "unit/data/texts/text_set_files.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

TEST_CASE("fields in quotes between tabs raise a warning that names the key") {
  TextFiles files;
  files.config.text.header = Answer::no;
  const auto warning_of = [&](const std::string& content) {
    files.write("train.tsv", content);
    return files.load().warning;
  };
  const std::string quoted = "\"x\"\t\"a b\"\n\"y\"\t\"b\"\n";
  CHECK(warning_of(quoted).starts_with("2 of 2 rows of "));
  CHECK(warning_of(quoted).find("--set data.text.quotes=yes") != std::string::npos);
  CHECK(files.load().class_names == Names{"\"x\"", "\"y\""});
  // Quoted where it must be, as spreadsheets and pandas write.
  CHECK_FALSE(warning_of("x\t\"a \"\"b\"\"\"\ny\tb\nx\tc\ny\td\nx\ta\n").empty());
  CHECK_FALSE(warning_of("x\t\"a\"\ny\tb\n").empty());
  // Texts with quotes in them.
  CHECK(warning_of("x\t\"a\"\ny\tb\nx\tc\ny\td\n").empty());
  CHECK(warning_of("x\t\"a\" b\ny\t\"b\"\n").empty());
  CHECK(warning_of("x\ta\ny\t\"b\n").empty());
  files.config.text.quotes = Answer::yes;
  CHECK(warning_of(quoted).empty());
  CHECK(files.load().class_names == Names{"x", "y"});
  files.config.text.quotes = Answer::no;
  CHECK(warning_of(quoted).empty());
}

TEST_CASE("quoted texts over several lines, and quoted names, name the key that reads them") {
  TextFiles files;
  files.write("train.tsv", "x\t\"a\nb\"\ny\tb\n");
  files.refuse({"train.tsv:2", "found 1", "--set data.text.quotes=yes"});
  files.write("train.tsv", "x\t\"a\tb\"\ny\tb\n");
  files.refuse({"train.tsv:2", "expected 3 columns", "--set data.text.quotes=yes"});
  files.write("train.tsv", "\"label\"\t\"text\"\n\"x\"\t\"a\"\n\"y\"\t\"b\"\n");
  files.config.text.label_column = "label";
  files.refuse({"no column 'label'", "--set data.text.quotes=yes"});
  files.config.text.quotes = Answer::yes;
  CHECK(files.load().columns == "label column 'label', text column 'text'");
}

TEST_CASE("the columns that were taken are named, or numbered") {
  TextFiles files;
  files.write("train.csv", "x,a\ny,b\nx,c\n");
  CHECK(files.load().columns == "label column 1, text column 2");
  files.write("train.csv", ",label,text\n0,x,a\n1,y,b\n");
  CHECK(files.load().columns == "label column 1, text columns 'label', 'text'");
  CHECK(describe_classes(files.load()) == "2: 0, 1 (label column 1, text columns 'label', 'text')");
  std::string many;
  for (int i = 0; i < 7; ++i) many += std::to_string(i) + ",a\n";
  files.write("train.csv", many);
  CHECK(describe_classes(files.load()) == "7: 0, 1, 2, 3, 4, ... (label column 1, text column 2)");
}

TEST_CASE("a first line is no header where hardly any label repeats, unless it looks like one") {
  TextFiles files;
  const auto size_of = [&](const std::string& content) {
    files.write("train.csv", content);
    return files.load().size();
  };
  CHECK(size_of("id0,0,a\nid1,1,b\nid2,0,c\n") == 3);
  CHECK(size_of("a b,0\nb,1\nc,0\n") == 3);
  CHECK(size_of("first,kind\na b,0\nb,1\nc,0\n") == 3);
  CHECK(size_of("Text,kind\na b,x\nb,y\nc,x\n") == 3);
  CHECK(size_of("kind,words\nx,a\ny,b\nx,c\nx,d\ny,e\n") == 5);
}

TEST_CASE("columns are counted from 1, and the first is also what version 0.1 called 0") {
  TextFiles files;
  files.config.text.header = Answer::no;
  files.write("train.csv", "x,a\ny,b\nx,c\n");
  files.config.text.label_column = "0";
  CHECK(files.load().columns == "label column 1, text column 2");
  files.config.text.label_column = "2";
  CHECK(files.load().columns == "label column 2, text column 1");
  files.config.text.text_columns = {"0"};
  files.refuse({"'0'", "data.text.text_columns", "counted from 1"});
  files.config.text.label_column = "3";
  files.refuse({"'3'", "data.text.label_column", "2 columns", "counted from 1"});
}

TEST_CASE("labels that do not repeat, or do not differ, name the column that looks like labels") {
  TextFiles files;
  std::string rows = "text,label\n", sets = "set,mood,text\n", bare;
  for (int i = 0; i < 6; ++i) {
    const std::string mood = i % 2 == 0 ? "good" : "bad", text = "t" + std::to_string(i);
    rows += text + "," + mood + "\n";
    sets += "train," + mood + "," + text + "\n";
    bare += text + "," + mood + "\n";
  }
  files.write("train.csv", rows);
  CHECK(doubt_about_labels(files.load()) ==
        "6 of 6 texts are the only ones of their class; is data.text.label_column right? (column "
        "'label' has 2 values)");
  files.write("train.csv", bare);
  files.config.text.header = Answer::no;
  CHECK(doubt_about_labels(files.load()).ends_with("(column 2 has 2 values)"));
  files.config.text.header = Answer::automatic;
  files.write("train.csv", sets);
  files.refuse({"all texts have the label 'train'", "(column 'mood' has 2 values)"});
  // Its label occurs in no other line, as names of columns do.
  files.write("two.csv", "z,a\nx,b\nx,c\nx,d\n");
  files.config.text.train_file = "two.csv";
  files.refuse({"all texts have the label 'x'", "data.text.header=no"});
  files.write("two.csv", "x,a\ny,b\n");
  CHECK(files.load().class_names == Names{"x", "y"});
  files.config.text = TextConfig{};
  files.config.text.min_count = 1;
  files.config.text.label_column = "mood";
  CHECK(doubt_about_labels(files.load()).empty());
}

TEST_CASE("a column of the text that is named twice is refused, by name and by number") {
  TextFiles files;
  files.write("train.csv", "label,title,text\nx,a,b\ny,b,c\nx,c,d\n");
  files.config.text.label_column = "label";
  for (const char* twice : {"text", "3"}) {
    files.config.text.text_columns = {"text", "title", twice};
    files.refuse({"train.csv: data.text.text_columns names one column twice", twice});
  }
  files.config.text.text_columns = {"text", "2"};
  CHECK(files.load().columns == "label column 'label', text columns 'text', 'title'");
}
