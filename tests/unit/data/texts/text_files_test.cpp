#include <doctest/doctest.h>

#include "config/text_config.h"
#include "data/dataset.h"
#include "io/gzip.h"
#include "unit/data/texts/text_set_files.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("columns are chosen by name or index, and texts of several are joined") {
  TextFiles files;
  files.write("train.csv", "id,title,stars,body\n1,a a,5,\"a,\nb\"\n2,b,1,c\n");
  files.config.text.punctuation = false;
  files.config.text.label_column = "stars";
  files.config.text.text_columns = {"title", "body"};
  const Dataset named = files.load();
  CHECK(named.class_names == Names{"1", "5"});
  CHECK(named.labels == Ids{1, 0});
  CHECK(files.ids(named, 0) == Ids{1, 1, 1, 2});
  files.config.text.label_column = "3";
  files.config.text.text_columns = {"2", "4"};
  CHECK(files.load().fingerprint == named.fingerprint);
  files.config.text.text_columns = {"boby"};
  files.refuse({"train.csv", "'boby'", "data.text.text_columns", "title"});
  files.config.text.text_columns = {};
  files.config.text.label_column = "7";
  files.refuse({"'7'", "data.text.label_column"});
}

TEST_CASE("a name that two columns have is refused") {
  TextFiles files;
  files.config.text.label_column = "label";
  files.write("train.csv", "label,text,label\n1,a,2\n2,b,1\n");
  files.refuse({"train.csv", "two columns are called 'label'", "data.text.label_column"});
  files.write("train.csv", "text,label,text\na,1,a\nb,2,b\n");
  files.config.text.text_columns = {"text"};
  files.refuse({"train.csv", "two columns are called 'text'", "data.text.text_columns"});
  files.config.text.text_columns = {};
  CHECK(files.load().size() == 2);
}

TEST_CASE("a first line of names is found by its label, or as told") {
  TextFiles files;
  files.write("train.tsv", std::string("label\ttext\n") + kTrain);
  files.write("test.tsv", std::string("label\ttext\n") + kTest);
  CHECK(files.load().size() == 3);
  CHECK(files.load(Split::test).size() == 2);
  files.config.text.header = Answer::no;
  CHECK(files.load().size() == 4);
  files.config.text.header = Answer::yes;
  CHECK(files.load().size() == 3);

  // Numbers are labels, and in a test file only a repetition of the training file's names counts.
  files.config.text.header = Answer::automatic;
  files.write("train.tsv", "7\ta\n3\tb\n3\tc\n");
  CHECK(files.load().class_names == Names{"3", "7"});
  files.write("test.tsv", "z\ta\n3\ta\n");
  files.refuse({"test.tsv:1", "'z'"}, Split::test);
}

TEST_CASE("the distributed layout of AG News, DBpedia and Yelp: classes count from 1") {
  TextFiles files;
  files.write("small_csv/train.csv", "\"2\",\"a \"\"b\"\"\",\"c\"\n\"1\",\"a\",\"b\"\n");
  files.write("small_csv/test.csv", "\"1\",\"a\",\"b\"\n");
  files.write("small_csv/classes.txt", "World\nSports\n");
  const Dataset train = files.load();
  CHECK(train.class_names == Names{"World", "Sports"});
  CHECK(train.labels == Ids{1, 0});
  CHECK(train.size() == 2);
  CHECK(files.load(Split::test).labels == Ids{0});
}

TEST_CASE("the distributed layout of IMDb: a file for each text in a folder per class") {
  TextFiles files;
  files.config.name = "imdb";
  for (const std::string part : {"train", "test"}) {
    files.write("aclImdb/" + part + "/neg/0_3.txt", "a bad film<br /><br />a");
    files.write("aclImdb/" + part + "/neg/1_1.txt", "bad");
    files.write("aclImdb/" + part + "/pos/0_9.txt", "good");
    files.write("aclImdb/" + part + "/pos/note.md", "no text");
  }
  files.write("aclImdb/train/unsup/0_0.txt", "a text without label");
  const Dataset train = files.load();
  CHECK(train.class_names == Names{"neg", "pos"});
  CHECK(train.labels == Ids{0, 1, 0});  // in rotation
  CHECK(train.tokens(0) == 4);
  CHECK(files.load(Split::test).size() == 3);
  files.write("aclImdb/test/pos/0_9.txt", "\xff");
  files.refuse({"test/pos/0_9.txt:1", "UTF-8"}, Split::test);
  files.write("aclImdb/test/pos/0_9.txt", " \n");
  files.refuse({"test/pos/0_9.txt: ", "empty"}, Split::test);
}

TEST_CASE("hidden files and folders are no texts and no classes") {
  TextFiles files;
  files.write("train/neg/1.txt", "a");
  files.write("train/neg/2.TXT", "a b");
  files.write("train/pos/1.txt", "b");
  files.write("train/pos/._1.txt", "of another system");
  files.write("train/pos/.ipynb_checkpoints/1-checkpoint.txt", "b");
  files.write("train/.ipynb_checkpoints/1-checkpoint.txt", "a");
  files.write("train/.git/config.txt", "a");
  const Dataset train = files.load();
  CHECK(train.class_names == Names{"neg", "pos"});
  CHECK(train.labels == Ids{0, 1, 0});
  CHECK(train.skipped == "4 (4 hidden)");
  CHECK(describe_classes(train) == "2: neg, pos (a folder each)");
  files.write("train/pos/notes.md", "no text");
  files.write("train/README.txt", "no text");
  CHECK(files.load().skipped == "6 (1 .md, 1 .txt, 4 hidden)");
  files.write("small_test.csv", "neg,a\n");
  files.write(".small_test.csv", "none,a\n");
  CHECK(files.load(Split::test).size() == 1);
}

TEST_CASE("a class without texts is refused, with what is read") {
  TextFiles files;
  files.write("train/neg/1.txt", "a");
  files.write("train/pos/1.txt", "b");
  std::filesystem::create_directories(files.folder / "train/none");
  files.refuse({"train/none' holds no texts: of 0 files none ends in .txt", "must go"});
  files.write("train/none/.hidden.txt", "a");
  files.refuse({"train/none' holds no texts: of 0 files"});
  files.write("train/none/51060", "a post");
  files.refuse({"train/none' holds no texts: of 1 file none ends in .txt", "rename"});
  files.write("train/none/51061.md", "a post");
  files.refuse({"of 2 files none ends in .txt, and only such files are read"});
  std::filesystem::remove_all(files.folder / "train/none");
  files.write("test/all.txt", "a");
  files.refuse({"test' has no folders of classes", "CLASS/*.txt"}, Split::test);
}

TEST_CASE("files named after the data set are found, packed ones too, with class names") {
  TextFiles files;
  files.write("small_train20.tsv.gz", compress_gzip("1\ta \"b\n0\tb\n"));
  files.write("small_test.tsv", "0\ta\n");
  files.write("small_mapping.txt", "0\tanger\n1\tjoy");
  CHECK(files.load().class_names == Names{"anger", "joy"});
  CHECK(files.load(Split::test).labels == Ids{0});
  std::filesystem::rename(files.folder / "small_train20.tsv.gz",
                          files.folder / "small_val20.tsv.gz");
  CHECK(files.load().size() == 2);
  std::filesystem::remove(files.folder / "small_mapping.txt");
  files.write("small_classes.txt", "no\nyes\n");
  CHECK(files.load().class_names == Names{"no", "yes"});

  files.config.text.train_file = "small_val20.tsv.gz";
  files.config.text.test_file = "small_test.tsv";
  CHECK(files.load().class_names == Names{"0", "1"});
}

TEST_CASE("byte order marks, line ends and quotes change neither texts nor names of classes") {
  const std::string mark = "\xef\xbb\xbf";
  TextFiles files;
  files.write("train.tsv", kTrain);
  const std::int64_t size = files.load().size();
  const Ids first = files.ids(files.load(), 0);
  for (const std::string& content : {mark + kTrain, std::string("x\ta a a b\ry\tb a\rx\tc\r"),
                                     std::string("x\ta a a b\r\ny\tb a\r\nx\tc")}) {
    files.write("train.tsv", content);
    const Dataset dataset = files.load();
    CHECK(dataset.size() == size);
    CHECK(dataset.class_names == Names{"x", "y"});
    CHECK(files.ids(dataset, 0) == first);
  }
  for (const std::string& content : {mark + "x\tcross\ny\tfork\n", std::string("x\tcross\ry\tfork"),
                                     std::string("\"x\"\t\"cross\"\r\n\"y\"\t\"fork\"\r\n"),
                                     compress_gzip("x\tcross\ny\tfork")}) {
    files.write("classes.txt", content);
    CHECK(files.load().class_names == Names{"cross", "fork"});
  }
}

TEST_CASE("a file of one text may begin with a byte order mark, but not be UTF-16") {
  TextFiles files;
  files.write("train/neg/1.txt",
              "\xef\xbb\xbf"
              "a b");
  files.write("train/pos/1.txt", "b");
  CHECK(files.load().tokens(0) == 2);
  files.write("train/pos/1.txt", std::string("\xff\xfe"
                                             "b\0",
                                             4));
  files.refuse({"pos/1.txt: the text is utf-16", "iconv -f utf-16 -t utf-8"});
}

TEST_CASE("data that are not there are named with what to do") {
  TextFiles files;
  files.refuse({"train part", "'small'", "data.path", "data.text.train_file"});
  files.config.text.train_file = "nowhere.tsv";
  files.refuse({"nowhere.tsv"});
}

TEST_CASE("labels and classes that cannot be used are refused by line") {
  TextFiles files;
  files.write("train.tsv", kTrain);
  files.write("test.tsv", "x\ta\nz\tb\n");
  files.refuse({"test.tsv:2", "'z'", "training part", "x, y"}, Split::test);
  files.write("classes.txt", "x\ny\nz\n");
  files.refuse({"train.tsv", "'z'", "classes.txt", "empty"});
  files.write("classes.txt", "x\n");
  files.refuse({"classes.txt", "'y'", "train.tsv"});
  std::filesystem::remove(files.folder / "classes.txt");
  files.config.train_examples = 1;
  files.refuse({"train.tsv", "all texts have the label 'x'"});
  files.config.train_examples = 0;
  files.write("train.tsv", "x\ta\n \tb\n");
  files.refuse({"train.tsv:2", "label is empty"});
  files.write("train.tsv", "a\nb\n");
  files.refuse({"train.tsv", "one column"});
  files.write("train.tsv", "");
  files.refuse({"train.tsv", "no texts"});
}

TEST_CASE("empty texts are refused by line, or left out") {
  TextFiles files;
  files.write("train.tsv", "x\ta\ny\t \nx\tb\ny\ta\n");
  files.refuse({"train.tsv:2", "empty", "data.text.skip_empty"});
  files.config.text.skip_empty = true;
  const Dataset dataset = files.load();
  CHECK(dataset.size() == 3);
  CHECK(dataset.labels == Ids{0, 0, 1});
  files.write("test.tsv", "x\t\n");
  files.refuse({"test.tsv", "all texts are empty"}, Split::test);
}
