"""DICOM files of a bucket, copied without what their tags say about the patient."""

from account import arguments, attempt, show, sign_in
from encord.objects.common import (
    DeidentifyRedactTextMode,
    SaveDeidentifiedDicomConditionIn,
    SaveDeidentifiedDicomConditionNotSubstr,
)

options = arguments("integration")
client = sign_in(options)


def deidentify(*names, **more):
    job = client.deidentify_dicom_files_start([f"s3://studies/{name}" for name in names], options.integration, **more)
    return client.deidentify_dicom_files_get_result(job, timeout_seconds=30)


of_this_patient = SaveDeidentifiedDicomConditionNotSubstr(value="P1", dicom_tag="x00100020")
of_the_study = SaveDeidentifiedDicomConditionIn(value=["1.2", "1.3"], dicom_tag="x0020000D")
show(
    {
        "redacted": deidentify("a.dcm", redact_pixels_mode=DeidentifyRedactTextMode.REDACT_ALL_TEXT),
        "kept": deidentify("a.dcm", redact_dicom_tags=False, save_conditions=[of_the_study], upload_dir="kept"),
        "left_out": deidentify("a.dcm", save_conditions=[of_the_study, of_this_patient]),
        "missing": attempt(lambda: deidentify("a.dcm", "missing.dcm")),
        "odd": attempt(lambda: deidentify("odd.dcm")),
    }
)
