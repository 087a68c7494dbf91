#include "data/texts/json_texts.h"

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "unit/data/texts/text_set_files.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

namespace {

constexpr const char* kLines =
    "{\"text\": \"a a a b\", \"label\": \"x\"}\n{\"label\": \"y\", \"text\": \"b a\"}\n"
    "{\"text\": \"c\", \"label\": \"x\"}\n";

}  // namespace

TEST_CASE("JSON lines hold what a delimited file holds, under every name and in every form") {
  TextFiles files;
  files.write("train.tsv", kTrain);
  const std::string expected = files.load().fingerprint;
  std::filesystem::remove(files.folder / "train.tsv");
  std::string carriage_returns = kLines;
  for (char& c : carriage_returns)
    if (c == '\n') c = '\r';
  for (const auto& form : std::vector<std::pair<std::string, std::string>>{
           {"train.jsonl", kLines},
           {"train.ndjson", std::string("\n") + kLines + "\n \n"},
           {"train.json", "\xef\xbb\xbf" + std::string(kLines)},
           {"train.JSONL", carriage_returns},
           {"train.jsonl.gz", compress_gzip(kLines)},
           {"small_train.jsonl", kLines}}) {
    const std::string& name = form.first;
    CAPTURE(name);
    files.write(name, form.second);
    const Dataset dataset = files.load();
    CHECK(dataset.fingerprint == expected);
    CHECK(dataset.columns == "label column 'label', text column 'text'");
    std::filesystem::remove(files.folder / name);
  }
}

TEST_CASE("keys are named, or follow from the first line") {
  TextFiles files;
  files.write("train.jsonl",
              "{\"id\": 7, \"stars\": 5, \"title\": \"a\", \"body\": \"b \\\"c\\\"\"}\n"
              "{\"id\": 8, \"stars\": 1, \"title\": \"b\", \"body\": \"c\"}\n");
  files.refuse({"train.jsonl:1", "no key 'label'", "data.text.label_column=KEY", "stars, title"});
  files.config.text.label_column = "stars";
  CHECK(files.load().columns == "label column 'stars', text columns 'body', 'title'");
  CHECK(files.load().class_names == Names{"1", "5"});
  files.config.text.text_columns = {"title", "body"};
  CHECK(files.load().tokens(0) == 5);  // with two quotes
  files.config.text.text_columns = {"title", "body", "title"};
  files.refuse({"train.jsonl: data.text.text_columns names one column twice, 'title'"});
  files.config.text.text_columns = {"boby"};
  files.refuse({"train.jsonl:1", "'boby'", "data.text.text_columns", "body"});
  files.config.text = TextConfig{};
  files.config.text.min_count = 1;
  files.write("train.jsonl",
              "{\"text\": \"a\", \"mood\": true}\n{\"text\": \"b\", \"mood\": false}\n");
  CHECK(files.load().class_names == Names{"false", "true"});
  files.config.text.label_column = "text";
  files.refuse({"train.jsonl:1", "no key with a text beside the label, 'text'"});
  files.config.text.label_column = "1";
  files.write("train.jsonl", "{\"text\": \"a\", \"mood\": 1, \"id\": 2}\n");
  files.refuse({"train.jsonl:1", "no key 'label'"});
}

TEST_CASE("lines that are no objects are refused by line, with what turns them into some") {
  TextFiles files;
  const std::string good = "{\"label\": \"x\", \"text\": \"a\"}\n";
  const auto refuse = [&](const std::string& content, std::initializer_list<const char*> parts) {
    CAPTURE(content);
    files.write("train.jsonl", content);
    files.refuse(parts);
  };
  refuse("", {"train.jsonl", "holds no texts"});
  refuse(good + "\n{\"label\": \"y\",\n\"text\": \"a\"}\n",
         {"train.jsonl:3: ", "one object", "jq -c ."});
  refuse(good + "label,text\n", {"train.jsonl:2: ", "one object"});
  refuse("[" + good + "]", {"train.jsonl:1: expected an object, found an array", "jq -c '.[]'"});
  refuse("[\n" + good + "]", {"train.jsonl:1: expected an object, found an array"});
  refuse(good + "\"y a\"\n", {"train.jsonl:2: expected an object, found a string"});
  refuse(good + "{\"label\": 1, \"label\": 2, \"text\": \"a\"}\n",
         {"train.jsonl:2", "'label' is given twice"});
  refuse(good + "{\"label\": \"y\", \"text\": \"\xff\"}\n", {"train.jsonl:2", "0xff", "UTF-8"});
  refuse(std::string("\xff\xfe{\0", 4), {"train.jsonl: the text is utf-16"});
  refuse(good + "{\"label\": \"\\ud800\", \"text\": \"a\"}\n", {"train.jsonl:2"});
}

TEST_CASE("values that are no labels or texts are refused by line") {
  TextFiles files;
  const std::string good = "{\"label\": \"x\", \"text\": \"a\"}\n";
  const auto refuse = [&](const std::string& line, std::initializer_list<const char*> parts) {
    CAPTURE(line);
    files.write("train.jsonl", good + line + "\n");
    files.refuse(parts);
  };
  refuse("{\"text\": \"b\"}", {"train.jsonl:2", "no key 'label'", "data.text.label_column"});
  refuse("{\"label\": \"y\"}",
         {"train.jsonl:2", "no key 'text'", "data.text.text_columns", "it has label"});
  refuse("{}", {"train.jsonl:2", "it has no keys"});
  refuse("{\"label\": null, \"text\": \"b\"}", {"train.jsonl:2: the label is empty"});
  refuse("{\"label\": \" \", \"text\": \"b\"}", {"train.jsonl:2: the label is empty"});
  refuse("{\"label\": [\"y\"], \"text\": \"b\"}", {"train.jsonl:2", "'label'", "found an array"});
  refuse("{\"label\": \"y\", \"text\": {\"en\": \"b\"}}",
         {"train.jsonl:2", "'text'", "found an object"});
  refuse("{\"label\": \"y\", \"text\": null}", {"train.jsonl:2: the text is empty", "skip_empty"});
  files.write("train.jsonl", "{\"label\": 1, \"stars\": 2}\n");
  files.refuse({"train.jsonl:1", "no key with a text", "data.text.text_columns=[KEY]"});
  files.write("train.jsonl", good + good);
  files.refuse({"all texts have the label 'x'"});
}
