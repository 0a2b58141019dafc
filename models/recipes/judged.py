"""What the classifier of digits says of generated ones."""
from ..measures import DigitJudge


def judged_digits(generated, source):
    """(a line of text, {name: number}) of generated digits beside the held-out ones."""
    judge, real = DigitJudge(), source.test.tensors[0]
    score, distance = judge.score(generated), judge.distance(real, generated)
    precision, recall = judge.precision_recall(real, generated)
    best = judge.distance(real, source.train.tensors[0][:len(real)])
    text = (f"judged by a classifier: Inception score {score:.2f} (held-out digits {judge.score(real):.2f}), Frechet "
            f"distance {distance:.1f} (training digits {best:.1f}), precision {precision:.2f}, recall {recall:.2f}")
    return text, {"inception_score": score, "frechet_distance": distance, "precision": precision, "recall": recall}
