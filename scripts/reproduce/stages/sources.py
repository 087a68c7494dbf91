"""Where the data sets come from that no package of Debian brings: what to fetch, its MD5 where its distributor or
several libraries publish the same, and where to put it. data/README.md tells the same to readers."""

# Name of configs/train/NAME_sinkhorn.json: (what to fetch, what it unpacks to, where that is put below ASAP_DATA_DIR).
SOURCES = {
    "mnist": ("the four files of http://yann.lecun.com/exdb/mnist/ (train-images-idx3-ubyte.gz: MD5 "
              "f68b3c2dcbeaaa9fbdd348bbdeb94873)", "the files themselves", "mnist/"),
    "cifar10": ("CIFAR-10 as 32 x 32 PNG or JPEG files, train/CLASS/* and test/CLASS/*, made of cifar-10-python.tar.gz (MD5 "
                "c58f30108f718f92721af3b95e74349a) or another version of https://www.cs.toronto.edu/~kriz/cifar.html",
                "train/, test/", "cifar10/"),
    "cifar100": ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz (MD5 03b5dce01913d631647c71ecec9e9cb8)",
                 "cifar-100-binary/: train.bin, test.bin, fine_label_names.txt", "cifar100/"),
    "agnews": ("data/ag_news_csv of https://github.com/mhjabreel/CharCnn_Keras (train.csv: MD5 "
               "b1a00f826fdfbd249f79597b59e1dc12; test.csv: MD5 d52ea96a97a2d943681189a97654912d)",
               "train.csv, test.csv", "text/agnews/"),
    "dbpedia14": ("dbpedia_csv.tar.gz of Zhang et al. 2015 (MD5 dca7b1ae12b1091090db52aa7ec5ca64)",
                  "dbpedia_csv/: train.csv, test.csv, classes.txt", "text/dbpedia14/"),
    "yelp5": ("a sample of Yelp's reviews, 5,000 texts to train and 5,000 to test: label 0 to 4, tab, text. Not Yelp Review "
              "Full, whose yelp_review_full_csv.tar.gz (Zhang et al. 2015, MD5 f7ddfafed1033f68ec72b9267863af6c) is "
              "trained with --set data.name=yelp_review_full",
              "yelp5_train5000.tsv.gz, yelp5_test5000.tsv.gz", "text/"),
    "imdb": ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz (MD5 7c2ac02c03563afcf9b574c7e56c153a)",
             "aclImdb/: train/, test/", "text/"),
    "tweeteval_emotion": ("the emotion part of https://github.com/cardiffnlp/tweeteval, as label, tab, text",
                          "tweeteval_emotion_train.tsv, tweeteval_emotion_test.tsv", "text/"),
    "cats_dogs": ("2,000 and 2,000 photographs of Kaggle's Dogs vs. Cats, resized to 64 x 64: one byte for the label (cat "
                  "0), then 12,288 bytes of red, green, blue", "*train*.bin, *test*.bin", "cats_dogs/"),
    "modelnet10": ("ModelNet10 (https://modelnet.cs.princeton.edu), sampled as points in the format of "
                   "src/data/points/point_files.h, or as NumPy arrays", "the files themselves", "modelnet10/"),
}


def base_set(name):
    """modelnet10_points512 and cats_dogs_patch4 take the files of modelnet10 and cats_dogs."""
    return next((source for source in SOURCES if name == source or name.startswith(f"{source}_")), None)


def how_to_get(name):
    """A sentence on where a missing set comes from; empty for sets that a package brings or that are drawn."""
    source = base_set(name)
    if source is None:
        return ""
    fetch, content, place = SOURCES[source]
    return f"Fetch {fetch}; put {content} into ASAP_DATA_DIR/{place}"
